// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { KvmProbe } from '../../src/native/index.ts';
import { explainKvm } from '../../src/vm/kvm-advice.ts';
import type { KvmVerdict } from '../../src/vm/kvm-verdict.ts';

const MEASURED: KvmProbe = {
  apiVersion: 12,
  maxVcpus: 8,
  maxMemorySlots: 32,
  missing: [],
  instructionsPerSecond: 600_000,
  hardware: false,
  elapsedMs: 3,
};
const PHYSICAL = { extension: 'vmx', nested: false, moduleLoaded: true } as const;
const GUEST = { extension: undefined, nested: true, moduleLoaded: false } as const;

function verdict(state: KvmVerdict['state'], errno?: string, probe?: KvmProbe): KvmVerdict {
  return { state, errno, probe };
}

test.each([
  ['hardware', verdict('hardware', undefined, MEASURED), PHYSICAL, /processor runs guests/, undefined],
  [
    'emulated KVM',
    verdict('software', undefined, MEASURED),
    GUEST,
    /0\.6 million instructions/,
    /nested virt/,
  ],
  [
    'a KVM without irqfd',
    verdict('lacking', undefined, { ...MEASURED, missing: ['KVM_CAP_IRQFD'] }),
    PHYSICAL,
    /lacks KVM_CAP_IRQFD/,
    /newer host kernel/,
  ],
  [
    'no module',
    verdict('absent', 'ENOENT'),
    { ...PHYSICAL, moduleLoaded: false },
    /no \/dev\/kvm/,
    /modprobe kvm_intel/,
  ],
  [
    'no module on AMD',
    verdict('absent', 'ENOENT'),
    { extension: 'svm', nested: false, moduleLoaded: false } as const,
    /no \/dev\/kvm/,
    /modprobe kvm_amd/,
  ],
  [
    'a module without a device',
    verdict('absent', 'ENOENT'),
    PHYSICAL,
    /no \/dev\/kvm/,
    /--device \/dev\/kvm/,
  ],
  ['a cloud VM', verdict('absent', 'ENOENT'), GUEST, /no \/dev\/kvm/, /nested virtualization/],
  ['firmware', verdict('absent', 'ENOENT'), { ...GUEST, nested: false }, /no \/dev\/kvm/, /firmware/],
  ['permissions', verdict('denied', 'EACCES'), PHYSICAL, /ann may not open/, /usermod -aG kvm ann/],
  ['anything else', verdict('broken', 'EBUSY'), PHYSICAL, /\(EBUSY\)/, /dmesg/],
] as const)('%s is explained, with what to do', (_what, given, facts, because, advice) => {
  const explained = explainKvm(given, facts, 'ann');
  expect(explained.because).toMatch(because);
  if (advice === undefined) expect(explained.advice).toBeUndefined();
  else expect(explained.advice).toMatch(advice);
});
