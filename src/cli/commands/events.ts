// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { parseEventFilters, type StoreEvent, storeEvents } from '../../core/events.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { parseTime } from '../options/time.ts';
import { compileTemplate } from '../output/template/index.ts';

interface Options {
  filter: string[];
  format?: string;
  since?: string;
  until?: string;
}

export const command = defineCommand<Options, void>({
  name: 'events',
  configure: (command) =>
    command
      .description('Show what happens in the store, until it is interrupted or --until is over.')
      .option(
        '-f, --filter <key=value>',
        'container=, event=, image=, label=, scope=, type= or volume=',
        collect,
        [],
      )
      .option('--format <template>', "'json', or a Go template")
      .option('--since <time>', 'also what has happened since: 10m, 2024-05-06T07:08:09Z, seconds since 1970')
      .option('--until <time>', 'only until then'),
  async run(_operands, options, output) {
    const interrupted = new AbortController();
    const end = () => interrupted.abort();
    process.once('SIGINT', end).once('SIGTERM', end);
    const range = { since: moment(options.since, '--since'), until: moment(options.until, '--until') };
    const show = lineOf(options.format);
    const filters = parseEventFilters(options.filter);
    for await (const event of storeEvents(rootFromEnvironment(), range, filters, interrupted.signal)) {
      output.line(show(event));
    }
  },
  print: () => undefined,
});

function lineOf(format: string | undefined): (event: StoreEvent) => string {
  if (format === undefined) return textOf;
  return format === 'json' ? (event) => JSON.stringify(event) : templateOf(format);
}

/** By the names of JSON and by those of Docker's Go structure, which its documentation uses. */
function templateOf(format: string): (event: StoreEvent) => string {
  const template = compileTemplate(format);
  return (event) => {
    const { status, id, from, scope, time, timeNano } = event;
    const names = { Status: status, ID: id, From: from, Scope: scope, Time: time, TimeNano: timeNano };
    const hidden = Object.entries(names).map(([name, value]) => [name, { value: value ?? '' }] as const);
    return template(Object.defineProperties({ ...event }, Object.fromEntries(hidden)));
  };
}

/** As Docker's CLI, in UTC. */
function textOf({ Type, Action, Actor, timeNano }: StoreEvent): string {
  const attributes = Object.entries(Actor.Attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  return `${timeText(timeNano)} ${Type} ${Action} ${Actor.ID} (${attributes.join(', ')})`;
}

const NANO_PER_MS = 1_000_000;

function timeText(nano: number): string {
  const rest = String(nano % NANO_PER_MS).padStart(6, '0');
  return new Date(Math.floor(nano / NANO_PER_MS)).toISOString().replace('Z', `${rest}Z`);
}

function moment(text: string | undefined, option: string): number | undefined {
  return text === undefined ? undefined : Date.parse(parseTime(text, option));
}
