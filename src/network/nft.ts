// SPDX-License-Identifier: Apache-2.0
// nft(8), which carries out rules and tells of them.
import { spawn } from 'node:child_process';
import { text as readAll } from 'node:stream/consumers';
import { HrunError } from '../base/errors.ts';
import { isExecutable } from '../base/executable.ts';

const NFT_PATHS = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft'];

/** Where it is; undefined when it is not installed. */
export function findNft(): string | undefined {
  return NFT_PATHS.find(isExecutable);
}

/** Carries out a text as one transaction. HOST_SETUP when it is refused. */
export async function applyRules(rules: string): Promise<void> {
  const { code, complaint } = await runNft(['-f', '-'], rules);
  if (code === 0) return;
  throw new HrunError('HOST_SETUP', `nft refused the firewall's rules: ${complaint.trim().split('\n')[0]}`, {
    hint: 'the kernel needs nf_tables with NAT (nft_chain_nat, nft_masq)',
  });
}

/** What a table of the family inet, or one chain of it, holds, as libnftables-json(5) has it; nothing when it is not there. */
export async function listRules(table: string, chain?: string): Promise<unknown[]> {
  const what = chain === undefined ? ['table', 'inet', table] : ['chain', 'inet', table, chain];
  const { code, said } = await runNft(['-j', 'list', ...what], '');
  return code === 0 ? (JSON.parse(said) as { nftables: unknown[] }).nftables : [];
}

async function runNft(
  words: readonly string[],
  input: string,
): Promise<{ code: number | null; said: string; complaint: string }> {
  const program = findNft();
  if (program === undefined) {
    throw new HrunError('HOST_SETUP', 'nft is not installed', { hint: 'run: apt-get install nftables' });
  }
  const child = spawn(program, words, { stdio: 'pipe' });
  const ended = new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  );
  child.stdin.on('error', () => {}).end(input); // that it reads no further is told by how it ends
  const [said, complaint, code] = await Promise.all([readAll(child.stdout), readAll(child.stderr), ended]);
  return { code, said, complaint };
}
