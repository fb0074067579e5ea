// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import type { KvmVerdict } from './kvm-verdict.ts';

/** What a verdict means in plain words, and what the host's owner can do about it. */
export interface KvmAdvice {
  /** ends the sentence "hrun uses … because" */
  because: string;
  /** undefined when there is nothing to do */
  advice: string | undefined;
}

/** What the host says of its processor's virtualization. */
export interface VirtualizationFacts {
  /** the processor's extension, as /proc/cpuinfo shows it */
  extension: 'vmx' | 'svm' | undefined;
  /** the host is itself a virtual machine */
  nested: boolean;
  /** KVM's module for the extension is loaded */
  moduleLoaded: boolean;
}

const MODULES = { vmx: 'kvm_intel', svm: 'kvm_amd' } as const;

export function virtualizationFacts(): VirtualizationFacts {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  const extension = (['vmx', 'svm'] as const).find((flag) => flags.includes(flag));
  return {
    extension,
    nested: flags.includes('hypervisor'),
    moduleLoaded: extension !== undefined && existsSync(`/sys/module/${MODULES[extension]}`),
  };
}

/** Explains a verdict. `user` is who asks, for the command that lets them in. */
export function explainKvm(verdict: KvmVerdict, facts: VirtualizationFacts, user: string): KvmAdvice {
  switch (verdict.state) {
    case 'hardware':
      return { because: 'the processor runs guests itself', advice: undefined };
    case 'software':
      return {
        because: `/dev/kvm of this host emulates guest kernels (${speed(verdict)})`,
        advice: withoutExtension(facts),
      };
    case 'lacking':
      return {
        because: `KVM of this host lacks ${verdict.probe!.missing.join(', ')}`,
        advice: "a newer host kernel, with KVM's in-kernel interrupt controllers, has them",
      };
    case 'absent':
      return { because: 'this host has no /dev/kvm', advice: adviceForAbsent(facts) };
    case 'denied':
      return {
        because: `${user} may not open /dev/kvm`,
        advice: `let ${user} in, then log in again: usermod -aG kvm ${user}`,
      };
    case 'broken':
      return {
        because: `/dev/kvm cannot be used (${verdict.errno})`,
        advice: 'see what the kernel says of it: dmesg | grep -i kvm',
      };
  }
}

function speed(verdict: KvmVerdict): string {
  return `${(verdict.probe!.instructionsPerSecond / 1e6).toFixed(1)} million instructions a second`;
}

function adviceForAbsent(facts: VirtualizationFacts): string {
  if (facts.extension === undefined) return withoutExtension(facts);
  const module = MODULES[facts.extension];
  if (!facts.moduleLoaded)
    return `load KVM: modprobe ${module}; if that fails, switch on virtualization in the firmware`;
  return 'make the device: modprobe kvm, or give the container that you are in --device /dev/kvm';
}

function withoutExtension({ nested }: VirtualizationFacts): string {
  return nested
    ? 'this host is itself a virtual machine: switch on nested virtualization where it is defined'
    : 'switch on virtualization (Intel VT-x, AMD-V) in the firmware, if the processor has it';
}
