// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import { HrunError } from '../../base/errors.ts';
import { defineCommand } from '../command.ts';
import { type Candidate, complete } from '../complete.ts';

/** Prints the word, a tab and what it means for each candidate: the scripts below ask with this. */
const ASK = '--candidates';

/** The scripts know nothing: whatever hrun learns, they complete. A command line is handed over word by word. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# hrun completion bash > /etc/bash_completion.d/hrun
_hrun() {
    local IFS=$'\\n' line words cword
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n : words cword
    else
        words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
    fi
    COMPREPLY=()
    while read -r line; do
        COMPREPLY+=("\${line%%$'\\t'*}")
    done < <("\${words[0]}" completion ${ASK} -- "\${words[@]:1:cword}" 2>/dev/null)
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "\${words[cword]}"
}
complete -o default -F _hrun hrun
`,
  zsh: `#compdef hrun
# hrun completion zsh > "\${fpath[1]}/_hrun"
_hrun() {
    local -a candidates
    local line
    while IFS= read -r line; do
        candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    done < <("\${words[1]}" completion ${ASK} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
    if ((\${#candidates})); then
        _describe hrun candidates
    else
        _files
    fi
}
compdef _hrun hrun
`,
  fish: `# hrun completion fish > ~/.config/fish/completions/hrun.fish
function __hrun_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] completion ${ASK} -- $words[2..-1] 2>/dev/null
end
complete -c hrun -a '(__hrun_complete)'
`,
};

interface CompletionOptions {
  candidates?: true;
}

export const command = defineCommand<CompletionOptions, string | Candidate[]>({
  name: 'completion',
  configure: (command) =>
    command
      .description("Print a shell's script that completes hrun's commands, options, containers and images.")
      .argument('[shell]', `${Object.keys(SCRIPTS).join(', ')}`)
      .argument('[word...]')
      .usage('bash|zsh|fish')
      .addOption(new Option(ASK, 'print what could stand where these words end').hideHelp())
      .addHelpText('after', HELP),
  async run([shell, ...rest], { candidates }) {
    if (candidates) return await complete(shell === undefined ? [''] : [shell, ...rest]);
    const script = shell !== undefined && Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
    if (script !== undefined) return script;
    throw new HrunError(
      'USAGE',
      `there is no completion for ${shell === undefined ? 'no shell' : JSON.stringify(shell)}`,
      {
        hint: `use ${Object.keys(SCRIPTS).join(', ')}`,
      },
    );
  },
  print(result, output) {
    if (typeof result === 'string') output.write(result);
    else output.write(result.map(({ word, description }) => `${word}\t${description}\n`).join(''));
    return undefined;
  },
});

const HELP = `
Examples:
  hrun completion bash > /etc/bash_completion.d/hrun
  source <(hrun completion bash)`;
