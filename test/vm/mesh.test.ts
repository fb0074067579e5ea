// SPDX-License-Identifier: Apache-2.0
// Many containers of one network, on a network namespace of the test's own: the machine's network is never touched.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const cannot = hostNetworkObstacle();
const NAMES = Array.from({ length: 12 }, (_, index) => `node-${index}`);
/** At a time: a machine that is slow to boot is not what this is about. */
const TOGETHER = 6;

describe.skipIf(cannot)(
  `a network of ${NAMES.length}${cannot ? ` (this host cannot: ${cannot})` : ''}`,
  () => {
    const store = new TestStore();
    let host: OwnNetwork;

    beforeAll(async () => {
      host = new OwnNetwork(store);
      await store.load(FIXTURES);
      await host.hrun(['network', 'create', 'mesh']);
    });
    afterAll(async () => {
      await host.hrun(['rm', '-f', ...store.containers()]);
      await host.hrun(['network', 'rm', 'mesh']);
      host.close();
      store.remove();
    });

    const each = async (action: (name: string) => Promise<unknown>) => {
      const left = [...NAMES];
      const work = async () => {
        for (let name = left.shift(); name !== undefined; name = left.shift()) await action(name);
      };
      await Promise.all(Array.from({ length: TOGETHER }, work));
    };

    test('whose containers are started together reach each other by name, every one every other', async () => {
      const run = (name: string) => ['run', '-d', '--name', name, '-m', '128m', '--network', 'mesh'];
      await each((name) => host.hrun([...run(name), 'busybox', 'sleep', '1000']));
      const script = `for name in ${NAMES.join(' ')}; do ping -c 1 -W 30 $name >/dev/null && echo $name; done`;
      await each(async (name) => {
        const { stdout } = await host.tryHrun(['exec', name, 'sh', '-c', script]);
        expect([name, stdout.trim().split('\n')]).toEqual([name, NAMES]);
      });
      const addresses = await host.hrun([
        'network',
        'inspect',
        '-f',
        '{{range .Containers}}{{.IPv4Address}} {{end}}',
        'mesh',
      ]);
      expect(new Set(addresses.stdout.trim().split(' ')).size).toBe(NAMES.length);
    });
  },
);
