// SPDX-License-Identifier: Apache-2.0
// The image of the container that a machine rehearses before it waits for its own (docs/pool.md): one layer with one program that ends at once.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../base/atomic-file.ts';
import { makeDirectory } from '../base/directory.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { makeWritableDisk } from '../container/index.ts';
import { native } from '../native/index.ts';
import { BLOCK, makeTarHeader, padding } from '../tar/index.ts';
import { type EmptyMachine, REHEARSAL_SLOTS, type Rehearse, writeEmptyMachine } from '../vm/index.ts';
import { rehearsalPayloads } from './guest-config.ts';

/** How many disks a rehearsal has. */
export const REHEARSAL_DISKS = 2;

/** The program's path in it. */
const REHEARSAL_PROGRAM = '/true';

/** Writes the settings of a machine that rehearses, and its disk, into its directory. */
export async function writeRehearsal(root: Root, directory: string, machine: EmptyMachine): Promise<void> {
  const writable = settingsPath(directory, 'rehearsal.ext4');
  await makeWritableDisk(root, writable);
  const disks = [
    { slot: REHEARSAL_SLOTS.writable, path: writable, readOnly: false },
    { slot: REHEARSAL_SLOTS.layer, path: await rehearsalLayer(root), readOnly: true },
  ];
  writeEmptyMachine(directory, machine, { disks, ...rehearsalPayloads(REHEARSAL_PROGRAM) });
}

/** The same for whoever makes templates. */
export function rehearseIn(root: Root): Rehearse {
  return (directory, machine) => writeRehearsal(root, directory, machine);
}

const LOAD_ADDRESS = 0x400000n;
const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
/** mov eax, 60 (exit); xor edi, edi; syscall */
const EXIT = Buffer.from([0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]);

/** The EROFS image, which is made when it is not there. */
export async function rehearsalLayer(root: Root): Promise<string> {
  const path = join(root.cache, `rehearsal.v${native().converterVersion}.erofs`);
  if (existsSync(path)) return path;
  await makeDirectory(root.cache, 0o700);
  await replaceFile(path, 0o600, async (file) => {
    const stream = native().openLayerStream({ outputFd: file.fd });
    try {
      await stream.write(archive());
      await stream.end();
    } catch (error) {
      await stream.abort();
      throw error;
    }
  });
  return path;
}

function archive(): Buffer {
  const program = exitProgram();
  const header = makeTarHeader(REHEARSAL_PROGRAM.slice(1), program.length, 0o755);
  return Buffer.concat([header, program, padding(program.length), Buffer.alloc(2 * BLOCK)]);
}

/** A static x86-64 executable (ELF-64, System V ABI) of one segment. */
function exitProgram(): Buffer {
  const code = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const size = code + EXIT.length;
  const elf = Buffer.alloc(size);
  elf.write('\x7fELF\x02\x01\x01', 0, 'latin1'); // 64 bits, little-endian, version 1
  elf.writeUInt16LE(2, 16); // e_type: ET_EXEC
  elf.writeUInt16LE(62, 18); // e_machine: EM_X86_64
  elf.writeUInt32LE(1, 20); // e_version
  elf.writeBigUInt64LE(LOAD_ADDRESS + BigInt(code), 24); // e_entry
  elf.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32); // e_phoff
  elf.writeUInt16LE(ELF_HEADER_BYTES, 52); // e_ehsize
  elf.writeUInt16LE(PROGRAM_HEADER_BYTES, 54); // e_phentsize
  elf.writeUInt16LE(1, 56); // e_phnum
  const segment = ELF_HEADER_BYTES;
  elf.writeUInt32LE(1, segment); // p_type: PT_LOAD
  elf.writeUInt32LE(5, segment + 4); // p_flags: read, execute
  elf.writeBigUInt64LE(LOAD_ADDRESS, segment + 16); // p_vaddr
  elf.writeBigUInt64LE(LOAD_ADDRESS, segment + 24); // p_paddr
  elf.writeBigUInt64LE(BigInt(size), segment + 32); // p_filesz
  elf.writeBigUInt64LE(BigInt(size), segment + 40); // p_memsz
  elf.writeBigUInt64LE(0x1000n, segment + 48); // p_align
  EXIT.copy(elf, code);
  return elf;
}
