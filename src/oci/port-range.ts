// SPDX-License-Identifier: Apache-2.0

/** Ports of a container, the last included. */
export interface PortRange {
  first: number;
  last: number;
  protocol: string;
}

/** Reads `80`, `53/udp`, `8000-8010/tcp`, the way in which EXPOSE and filters name ports; undefined for anything else. */
export function parsePortRange(text: string): PortRange | undefined {
  const [, from, to = from, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (!from || last > 65535 || first > last) return undefined;
  return { first, last, protocol: protocol.toLowerCase() };
}
