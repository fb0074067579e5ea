// SPDX-License-Identifier: Apache-2.0
export { readEvents } from './read-events.ts';
export { type NewEvent, recordEvent, type StoreEvent } from './record-event.ts';
