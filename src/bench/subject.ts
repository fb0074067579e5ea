// SPDX-License-Identifier: Apache-2.0

/** A way to run a command in a new container and to remove it afterwards. */
export interface Subject {
  /** `hrun, template (qemu)`, `podman` */
  name: string;
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
  /** it can write its stages to $HRUN_TRACE */
  traced: boolean;
}

/** What is compared, and why others are not. */
export interface Subjects {
  subjects: Subject[];
  /** one line each */
  absent: string[];
}
