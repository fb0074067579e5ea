// SPDX-License-Identifier: Apache-2.0
export { PEER_NAMES } from './peers.ts';
export { measureStartup, type StartupOptions, type StartupResult, type StartupRow } from './startup.ts';
export { ratioText, startupPage } from './startup-page.ts';
