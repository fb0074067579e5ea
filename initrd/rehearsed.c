/* SPDX-License-Identifier: Apache-2.0
 *
 * The program that the container of a rehearsal runs: its interpreter, rehearsal.c, is what does something.
 */
typedef int nothing;
