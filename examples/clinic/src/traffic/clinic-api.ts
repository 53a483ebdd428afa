import type { StaffMember } from './staff.ts';

export interface Asking {
  readonly staff: StaffMember;
  readonly reason: string;
}

export interface ClinicApi {
  /** @returns the answer's JSON; undefined if the answer has no body. It throws for a status of 400 or more. */
  ask(asking: Asking, method: string, path: string, body?: object): Promise<unknown>;
}

/** The clinic's API over HTTP, as it looks from behind the sign-in proxy. */
export function clinicApi(clinicUrl: string, signal: AbortSignal): ClinicApi {
  return {
    async ask({ staff, reason }, method, path, body) {
      // A signal for each request: what `fetch` adds to a signal stays there until the request is collected.
      const request = new AbortController();
      const giveUp = (): void => request.abort(signal.reason);
      signal.throwIfAborted();
      signal.addEventListener('abort', giveUp, { once: true });
      try {
        const response = await fetch(new URL(path, clinicUrl), {
          method,
          signal: request.signal,
          headers: {
            'Content-Type': 'application/json',
            'User-Agent': staff.userAgent,
            'X-Forwarded-For': staff.ipAddress,
            'X-User-Id': staff.userId,
            'X-User-Role': staff.role,
            'X-Access-Reason': reason,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
        return response.status === 204 ? undefined : await response.json();
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    },
  };
}
