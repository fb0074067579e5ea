// SPDX-License-Identifier: Apache-2.0

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes of images and files as Docker shows them: decimal units, three significant digits. */
export function formatSize(bytes: number): string {
  return scaled(bytes, 1000, DECIMAL, 3);
}

/** Bytes of memory as Docker shows them: binary units, four significant digits. */
export function formatBinarySize(bytes: number): string {
  return scaled(bytes, 1024, BINARY, 4);
}

function scaled(bytes: number, step: number, units: readonly string[], precision: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  const digits = Math.max(precision, value >= 999.5 ? 4 : 0);
  return `${unit === 0 ? value : Number(value.toPrecision(digits))}${units[unit]}`;
}

/** At most `most` characters, the last one an ellipsis if there were more. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** A moment, milliseconds since 1970, as Docker's lists show it: "2024-05-06 07:08:09 +0000 UTC". */
export function formatMoment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** A time of RFC 3339, UTC, as Go prints it: "2024-05-06 07:08:09.12 +0000 UTC". */
export function formatTimestamp(time: string): string {
  const [date, clock = ''] = time.replace(/Z$/, '').split('T');
  return `${date} ${clock.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')} +0000 UTC`;
}

/** How long ago, as Docker words it: "3 weeks ago". */
export function formatAge(then: number, now: number = Date.now()): string {
  return `${formatDuration(now - then)} ago`;
}

/** A time span in words, `ms` milliseconds long: "About a minute", "5 hours". */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(minutes / 60);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}
