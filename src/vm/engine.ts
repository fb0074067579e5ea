// SPDX-License-Identifier: Apache-2.0
import { userInfo } from 'node:os';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { explainKvm, type KvmAdvice, virtualizationFacts } from './kvm-advice.ts';
import { assessKvm, type KvmVerdict } from './kvm-verdict.ts';
import { isNews } from './news.ts';
import { findProgram } from './program.ts';

/** What --engine takes. */
export const ENGINE_NAMES = ['auto', 'qemu', 'kvm'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** The engine part of vm.json. */
export type Engine = { engine: 'qemu'; qemu: { binary: string; accel: 'tcg' } } | { engine: 'kvm' };

export interface EngineChoice {
  engine: Engine;
  /** one line that the user should read, now */
  remark: string | undefined;
}

export const QEMU = { program: 'qemu-system-x86_64', package: 'qemu-system-x86' } as const;

/**
 * Settles which engine runs a VM. `auto` takes kvm where the processor runs guests and never a slow KVM; the remark
 * says so once per boot of the host. HOST_SETUP when the engine cannot work here.
 */
export async function chooseEngine(
  root: Root,
  name: EngineName,
  env: NodeJS.ProcessEnv = process.env,
): Promise<EngineChoice> {
  if (name === 'qemu') return { engine: qemu(env), remark: undefined };
  const verdict = await assessKvm(root);
  if (name === 'kvm') return kvmByName(verdict);
  if (verdict.state === 'hardware') return { engine: { engine: 'kvm' }, remark: undefined };
  const { because } = explain(verdict);
  const remark = `using software emulation (QEMU), which is slower: ${because}; hrun doctor says more`;
  return { engine: qemu(env), remark: (await isNews(root, 'engine', verdict.state)) ? remark : undefined };
}

/** A verdict in words, for this host and user. */
export function explain(verdict: KvmVerdict): KvmAdvice {
  return explainKvm(verdict, virtualizationFacts(), userInfo().username);
}

function qemu(env: NodeJS.ProcessEnv): Engine {
  return { engine: 'qemu', qemu: { binary: findProgram(QEMU.program, QEMU.package, env), accel: 'tcg' } };
}

/** A slow KVM is taken when it is asked for by name. */
function kvmByName(verdict: KvmVerdict): EngineChoice {
  if (verdict.state === 'hardware') return { engine: { engine: 'kvm' }, remark: undefined };
  const { because, advice } = explain(verdict);
  if (verdict.state === 'software')
    return {
      engine: { engine: 'kvm' },
      remark: `${because}: a container may take minutes to start, or never do`,
    };
  throw new HrunError('HOST_SETUP', `the kvm engine cannot work here: ${because}`, {
    hint: `${advice}; or use --engine qemu`,
  });
}
