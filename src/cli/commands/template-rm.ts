// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { removeTemplateCalled } from '../../core/templates.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';

export const command = defineCommand<object, number>({
  name: 'template rm',
  configure: (command) =>
    command
      .description('Remove templates. Containers that started from one go on.')
      .argument('<template...>', 'IDs, or their beginnings'),
  run: (ids, _options, output) =>
    eachOperand(ids, output, (id) => removeTemplateCalled(rootFromEnvironment(), id)),
  print: (exitCode) => exitCode,
});
