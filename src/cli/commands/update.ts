// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { updateContainer } from '../../core/update-container.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';
import { parseCpuList, parseCpuShares, parseMemorySwap, parseMicroseconds } from '../options/host-limits.ts';
import { parseNetworkRates } from '../options/network-rates.ts';
import { parseBytes, parseCpus, parsePidsLimit } from '../options/quantity.ts';
import { parseRestartPolicy } from '../options/restart.ts';

interface Options {
  cpus?: string;
  cpuPeriod?: string;
  cpuQuota?: string;
  cpuShares?: string;
  cpusetCpus?: string;
  memory?: string;
  memorySwap?: string;
  networkBps?: string;
  pidsLimit?: string;
  restart?: string;
}

export const command = defineCommand<Options, number>({
  name: 'update',
  configure: (command) =>
    command
      .description(
        'Change the limits and the restart policy of containers, running or not. A running VM cannot grow: for more memory or CPUs than it was started with (run --max-cpus), stop it first.',
      )
      .argument('<container...>', 'names or IDs')
      .option('-m, --memory <bytes>', 'memory, for example 512m')
      .option('--memory-swap <bytes>', 'memory and swap together, from the next start on; -1 for any')
      .option('--cpus <number>', 'CPUs, for example 0.5')
      .option('--cpu-quota <microseconds>', 'CPU time in each --cpu-period, instead of --cpus; -1 for any')
      .option('--cpu-period <microseconds>', 'the period of --cpu-quota')
      .option('-c, --cpu-shares <number>', 'of CPU time when it is short: others have 1024')
      .option('--cpuset-cpus <list>', "the host's CPUs that it may use, for example 0-2,7")
      .option(
        '--network-bps <rate>',
        'bytes a second of its network interfaces, 10mb, or in=10mb,out=5mb; 0 for any',
      )
      .option('--pids-limit <number>', 'most processes; -1 for no limit')
      .option(
        '--restart <policy>',
        'start it again when it ends: no, on-failure[:times], always, unless-stopped',
      ),
  run: (operands, options, output) => {
    const update = updateOf(options);
    return eachOperand(operands, output, async (text) => {
      await updateContainer(rootFromEnvironment(), text, update);
      return text;
    });
  },
  print: (exitCode) => exitCode,
});

function updateOf(options: Options) {
  const { memory, memorySwap, cpus, cpuQuota, cpuPeriod, cpuShares, cpusetCpus } = options;
  const { networkBps, pidsLimit, restart } = options;
  const bytes = memory === undefined ? undefined : parseBytes(memory, '--memory');
  const update = {
    memory: bytes,
    memorySwap: memorySwap === undefined ? undefined : parseMemorySwap(memorySwap, bytes),
    cpus: cpus === undefined ? undefined : parseCpus(cpus),
    cpuQuota: cpuQuota === undefined ? undefined : parseMicroseconds(cpuQuota, '--cpu-quota'),
    cpuPeriod: cpuPeriod === undefined ? undefined : parseMicroseconds(cpuPeriod, '--cpu-period'),
    cpuShares: cpuShares === undefined ? undefined : parseCpuShares(cpuShares),
    cpusetCpus: cpusetCpus === undefined ? undefined : parseCpuList(cpusetCpus),
    pidsLimit: pidsLimit === undefined ? undefined : (parsePidsLimit(pidsLimit) ?? 0),
    networkRates: networkBps === undefined ? undefined : parseNetworkRates(networkBps),
    restart: restart === undefined ? undefined : parseRestartPolicy(restart),
  };
  if (Object.values(update).some((value) => value !== undefined)) return update;
  throw new HrunError('USAGE', 'nothing to update', { hint: 'give one of the options: hrun update --help' });
}
