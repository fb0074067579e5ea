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
  const message = `cannot reach ${url.origin}: ${REASONS[code] ?? error.message}`;
  const hint = isTls(code) ? tlsHint(url) : 'check the name and that the registry is up';
  const options = { hint, cause: error };
  return TRANSIENT.has(code)
    ? new TransientError('REGISTRY_UNREACHABLE', message, options)
    : new HrunError('REGISTRY_UNREACHABLE', message, options);
}

/** True when the other end does not speak TLS at all: what a plain http server looks like to an https client. */
export function isNotTls(error: unknown): boolean {
  const code = error instanceof HrunError ? errnoOf(error.cause) : undefined;
  return (
    code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
  );
}

/** Node tries all addresses of a host and then reports an AggregateError without a code of its own. */
function innerCode(error: Error): string | undefined {
  return error instanceof AggregateError ? errnoOf(error.errors[0]) : undefined;
}

function isTls(code: string): boolean {
  return (
    code.startsWith('ERR_SSL') ||
    code.startsWith('ERR_TLS') ||
    code === 'EPROTO' ||
    /CERT|SELF_SIGNED|ISSUER/.test(code)
  );
}

function tlsHint(url: URL): string {
  return `for a private certificate authority set registries."${url.host}".ca, for plain http plainHttp, in hrun's configuration`;
}
