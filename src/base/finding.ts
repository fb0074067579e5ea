// SPDX-License-Identifier: Apache-2.0

/** Something about the store that is not as it should be. */
export interface Finding {
  /** `note`: harmless, only takes room or time; `damage`: something is lost or cannot be used */
  kind: 'note' | 'damage';
  /** path, image or container */
  where: string;
  /** what is wrong, in plain words */
  what: string;
  /** what mends it */
  remedy: string;
  /** `repairable`: --repair would do the remedy; `repaired`: it is done; `left`: it is the user's to do */
  state: 'repairable' | 'repaired' | 'left';
}

/** Collects findings and, if wanted, mends what they are about. */
export class Findings {
  readonly list: Finding[] = [];
  readonly repairing: boolean;

  constructor(repairing: boolean) {
    this.repairing = repairing;
  }

  /** Something that `repair` mends; resolves with whether it is mended now. */
  async mendable(finding: Omit<Finding, 'state'>, repair: () => Promise<void> | void): Promise<boolean> {
    if (this.repairing) await repair();
    this.list.push({ ...finding, state: this.repairing ? 'repaired' : 'repairable' });
    return this.repairing;
  }

  /** A file or directory that is of no use to anybody since its maker was killed. */
  async leftover(where: string, remove: () => Promise<void> | void): Promise<void> {
    const what = 'was left by a command that was killed';
    await this.mendable({ kind: 'note', where, what, remedy: 'remove it' }, remove);
  }

  /** Something that hrun cannot mend by itself. */
  left(finding: Omit<Finding, 'state'>): void {
    this.list.push({ ...finding, state: 'left' });
  }

  get damaged(): boolean {
    return this.list.some(({ kind, state }) => kind === 'damage' && state !== 'repaired');
  }
}
