// SPDX-License-Identifier: Apache-2.0
import type { Option } from 'commander';
import { ENGINE_NAMES } from '../../core/container-options.ts';
import { choice } from '../option.ts';

export function engineOption(): Option {
  return choice('--engine <engine>', 'what runs the VM', ENGINE_NAMES, 'auto').env('HRUN_ENGINE');
}
