// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { readAll } from './body.ts';
import type { HttpResponse } from './http.ts';
import type { RegistryTiming } from './settings.ts';
import { parseRetryAfter, TransientError } from './transient.ts';

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_MESSAGE = 200;

/** What was asked for, to word an error. */
export interface Asked {
  /** registry name as the user knows it */
  registry: string;
  /** `127.0.0.1:5000/debian:bookworm` */
  image?: string;
  /** true when the request carried credentials */
  loggedIn: boolean;
}

/** The error for a response that is not a success; reads its body. */
export async function responseError(
  response: HttpResponse,
  asked: Asked,
  timing: RegistryTiming,
): Promise<HrunError> {
  const said = await errorCodes(response, timing);
  const { status } = response;
  if (status === 401 || status === 403) return denied(asked, said);
  if (status === 404 && asked.image !== undefined) return missing(asked, asked.image, said);
  const message = `${asked.registry} answered ${status}${said.message ? `: ${said.message}` : ''}`;
  if (status === 429) return overloaded(response, message, 'the registry limits requests: wait, or log in');
  if (status === 408 || status >= 500) return overloaded(response, message, 'try again later');
  return new HrunError('REGISTRY_ERROR', message);
}

interface Said {
  code: string;
  message: string;
}

function denied(asked: Asked, said: Said): HrunError {
  const host = asked.registry === 'docker.io' ? '' : ` ${asked.registry}`;
  if (asked.image === undefined || asked.loggedIn) {
    const what = asked.image === undefined ? '' : ` for ${asked.image}`;
    return new HrunError(
      'REGISTRY_DENIED',
      `${asked.registry} refused the login${what}${said.message && `: ${said.message}`}`,
      {
        hint: `check user name and password: hrun login${host}`,
      },
    );
  }
  return new HrunError('REGISTRY_DENIED', `access to ${asked.image} is denied, or there is no such image`, {
    hint: `if it is private: hrun login${host}`,
  });
}

function missing(asked: Asked, image: string, said: Said): HrunError {
  const what = said.code === 'NAME_UNKNOWN' ? 'repository' : 'image';
  return new HrunError('NO_SUCH_REMOTE_IMAGE', `${asked.registry} has no ${what} ${image}`, {
    hint: 'check the name and the tag',
  });
}

function overloaded(response: HttpResponse, message: string, hint: string): TransientError {
  const retryAfterMs = parseRetryAfter(response.headers['retry-after']);
  return new TransientError('REGISTRY_ERROR', message, { hint, retryAfterMs });
}

/** The first error of the body, distribution-spec section "Error Codes"; empty when there is none. */
async function errorCodes(response: HttpResponse, timing: RegistryTiming): Promise<Said> {
  try {
    const body = await readAll(response, MAX_ERROR_BYTES, 'an error', timing);
    const { errors } = JSON.parse(body.toString()) as { errors?: { code?: unknown; message?: unknown }[] };
    const [first] = Array.isArray(errors) ? errors : [];
    return { code: text(first?.code), message: text(first?.message) };
  } catch {
    return { code: '', message: '' }; // the status says enough
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_MESSAGE) : '';
}
