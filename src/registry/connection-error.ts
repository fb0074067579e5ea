// SPDX-License-Identifier: Apache-2.0
import { errnoOf, HrunError } from '../base/errors.ts';
import { TransientError } from './transient.ts';

/** Worth another attempt: the other end, or something between, dropped a connection or was slow. */
const TRANSIENT = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'HPE_INVALID_EOF_STATE']);

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name could not be resolved now',
};

/** The HrunError for a failure of Node's http client; transient when another attempt may help. */
export function connectionError(error: Error, url: URL): HrunError {
  const code = errnoOf(error) ?? innerCode(error) ?? '';
  if (code.startsWith('HPE_') && !TRANSIENT.has(code)) {
    return new HrunError('REGISTRY_ERROR', `${url.host} does not answer in HTTP (${code})`, { cause: error });
  }
  const reason = REASONS[code] ?? (isTls(code) ? `TLS failed (${code})` : error.message);
  const message = `cannot reach ${url.origin}: ${reason}`;
  const hint = isTls(code) ? tlsHint(url) : 'check the name and that the registry is up';
  const options = { hint, cause: error };
  return TRANSIENT.has(code)
    ? new TransientError('REGISTRY_UNREACHABLE', message, options)
    : new HrunError('REGISTRY_UNREACHABLE', message, options);
}

/** Node tries all addresses of a host and then reports an AggregateError without a code of its own. */
function innerCode(error: Error): string | undefined {
  return error instanceof AggregateError ? errnoOf(error.errors[0]) : undefined;
}

function isTls(code: string): boolean {
  return /^ERR_SSL|^ERR_TLS|^EPROTO$|CERT|SELF_SIGNED|ISSUER|SIGNATURE/.test(code);
}

function tlsHint(url: URL): string {
  return `for a private certificate authority set registries."${url.host}".ca, for plain http plainHttp, in hrun's configuration`;
}
