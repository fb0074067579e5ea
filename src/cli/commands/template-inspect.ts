// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { openTemplate } from '../../core/templates.ts';
import type { Template } from '../../vm/index.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand<object, Template[]>({
  name: 'template inspect',
  configure: (command) =>
    command
      .description('Show what templates are made of, as JSON.')
      .argument('<template...>', 'IDs, or their beginnings'),
  run: async (ids) => ids.map((id) => openTemplate(rootFromEnvironment(), id)),
  print(templates, output) {
    output.line(JSON.stringify(templates, null, 4));
    return undefined;
  },
});
