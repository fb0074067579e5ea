// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { type Configure, encodeConfigure, withLimits } from '../../src/guest/index.ts';

const CONFIGURE: Configure = {
  ...{ layerSlots: [3, 4], writableSlot: 2, shareSlot: undefined, hostname: 'box', domainname: '' },
  ...{ readOnlyRoot: false, privileged: false, mounts: [], sysctls: new Map([['net.a', '1']]) },
  ...{ files: new Map([['/etc/hosts', 'text']]), maskedPaths: ['/proc/keys'], readOnlyPaths: [] },
  ...{ shmSize: 1 << 20, pidsLimit: 20, nics: [] },
};

describe('other limits', () => {
  test('make the payload that a container with these limits would have had', () => {
    const payload = encodeConfigure(CONFIGURE);
    const limited = (pidsLimit?: number, from = payload) =>
      withLimits(from, { pidsLimit, memoryBytes: undefined });
    expect(limited(33)).toEqual(encodeConfigure({ ...CONFIGURE, pidsLimit: 33 }));
    const none = encodeConfigure({ ...CONFIGURE, pidsLimit: undefined });
    expect(limited()).toEqual(none);
    expect(limited(20, none)).toEqual(payload);
  });

  test('of memory replace each other, and go', () => {
    const none = encodeConfigure({ ...CONFIGURE, pidsLimit: undefined });
    const limited = withLimits(none, { pidsLimit: undefined, memoryBytes: 96 << 20 });
    const tag = limited.subarray(none.length);
    expect([tag.readUInt16LE(0), tag.readBigUInt64LE(8)]).toEqual([15, BigInt(96 << 20)]);
    expect(withLimits(limited, { pidsLimit: undefined, memoryBytes: 64 << 20 })).toHaveLength(limited.length);
    expect(withLimits(limited, { pidsLimit: undefined, memoryBytes: undefined })).toEqual(none);
  });
});
