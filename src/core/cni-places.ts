// SPDX-License-Identifier: Apache-2.0
// Where CNI lists and plug-ins are: the environment, as cnitool(1) reads it, else hrun's configuration, else where packages put them.
import type { CniPlaces } from '../network/index.ts';
import { loadConfig } from './config.ts';

const CONFIG_DIRECTORY = '/etc/cni/net.d';
/** Debian's, and that of those who bring their own. */
const PLUGIN_DIRECTORIES = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];

/** CONFIG when the configuration is wrong. */
export async function cniPlaces(env: NodeJS.ProcessEnv = process.env): Promise<CniPlaces> {
  const { cni } = await loadConfig(env);
  const asked = (env.CNI_PATH ?? '').split(':').filter((path) => path.startsWith('/'));
  return {
    configDirectory: env.NETCONFPATH || cni.configDirectory || CONFIG_DIRECTORY,
    pluginDirectories: asked.length > 0 ? asked : (cni.pluginDirectories ?? PLUGIN_DIRECTORIES),
  };
}
