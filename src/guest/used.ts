// SPDX-License-Identifier: Apache-2.0

/** struct hrun_used: what a container uses. Counters begin with its machine. */
export interface Used {
  cpuMicroseconds: number;
  memoryBytes: number;
  /** of these, files that could be read again */
  cacheBytes: number;
  /** memory that the guest's kernel has for processes in all */
  availableBytes: number;
  pids: number;
  diskReadBytes: number;
  diskWrittenBytes: number;
  netReceivedBytes: number;
  netSentBytes: number;
}

/** Decodes the payload of USED. The guest may say what it likes: these are numbers to show, nothing else. */
export function decodeUsed(payload: Buffer): Used {
  const field = (index: number) => Number(payload.readBigUInt64LE(8 * index));
  return {
    cpuMicroseconds: field(0),
    memoryBytes: field(1),
    cacheBytes: field(2),
    availableBytes: field(3),
    pids: field(4),
    diskReadBytes: field(5),
    diskWrittenBytes: field(6),
    netReceivedBytes: field(7),
    netSentBytes: field(8),
  };
}
