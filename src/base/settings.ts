// SPDX-License-Identifier: Apache-2.0
// settings/ of a container's directory: what the next start believes. A jailed monitor has it mounted read-only, and the
// rest of the directory for itself (docs/security.md).
import { join } from 'node:path';

const SETTINGS = 'settings';

/** Where a container's settings are, or one file of them. */
export function settingsPath(containerDirectory: string, file = ''): string {
  return join(containerDirectory, SETTINGS, file);
}
