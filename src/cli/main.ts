// SPDX-License-Identifier: Apache-2.0
import { main } from './dispatch.ts';

process.exitCode = await main(process.argv.slice(2));
