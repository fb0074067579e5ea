// SPDX-License-Identifier: Apache-2.0
import { findImage, type Image, type ImageStore, imageSize } from '../image/index.ts';
import { familiarName } from '../registry/index.ts';

/** The image as `docker image inspect` shows it. */
export async function inspectImage(store: ImageStore, text: string): Promise<object> {
  const { image } = await findImage(store, text);
  return describe(image, await imageSize(store, image));
}

function describe(image: Image, size: number): object {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.tags.map(familiarName),
    RepoDigests: image.digests.map(familiarName),
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Config: describeConfig(image),
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os,
    Size: size,
    RootFS: { Type: 'layers', Layers: image.diffIds },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
    Descriptor: image.descriptor,
  };
}

function describeConfig({ config: { config } }: Image): object {
  return {
    User: config?.User ?? '',
    ...(config?.ExposedPorts && { ExposedPorts: config.ExposedPorts }),
    Env: config?.Env ?? [],
    Cmd: config?.Cmd ?? null,
    ...(config?.Healthcheck && { Healthcheck: config.Healthcheck }),
    Volumes: config?.Volumes ?? null,
    WorkingDir: config?.WorkingDir ?? '',
    Entrypoint: config?.Entrypoint ?? null,
    Labels: config?.Labels ?? null,
    ...(config?.StopSignal && { StopSignal: config.StopSignal }),
    ...(config?.Shell && { Shell: config.Shell }),
  };
}
