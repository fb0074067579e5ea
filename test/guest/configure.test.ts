// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { type Configure, encodeConfigure, withPidsLimit } from '../../src/guest/index.ts';

const CONFIGURE: Configure = {
  ...{ layerSlots: [3, 4], writableSlot: 2, shareSlot: undefined, hostname: 'box', domainname: '' },
  ...{ readOnlyRoot: false, privileged: false, mounts: [], sysctls: new Map([['net.a', '1']]) },
  ...{ files: new Map([['/etc/hosts', 'text']]), maskedPaths: ['/proc/keys'], readOnlyPaths: [] },
  ...{ shmSize: 1 << 20, pidsLimit: 20, nics: [] },
};

describe('another limit of processes', () => {
  test('makes the payload that a container with this limit would have had', () => {
    const payload = encodeConfigure(CONFIGURE);
    expect(withPidsLimit(payload, 33)).toEqual(encodeConfigure({ ...CONFIGURE, pidsLimit: 33 }));
    const none = encodeConfigure({ ...CONFIGURE, pidsLimit: undefined });
    expect(withPidsLimit(payload, undefined)).toEqual(none);
    expect(withPidsLimit(none, 20)).toEqual(payload);
  });
});
