import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** How text is written for people: with what colours, how wide, in which time zone. */
export interface TextStyle {
  readonly colors: Colors;
  /** Width of the terminal; `undefined` where the output goes to a file or another program. Then nothing is cut. */
  readonly columns: number | undefined;
  /** Default: that of the process (`TZ`). */
  readonly timeZone?: string;
}

interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The style that suits a stream. `NO_COLOR` and `FORCE_COLOR` are respected (https://no-color.org). */
export function textStyle(
  stream: OutputStream,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): TextStyle {
  return {
    colors: picocolors.createColors(wantsColor(stream, environment)),
    columns: stream.isTTY ? Math.max(stream.columns ?? 80, 40) : undefined,
  };
}

function wantsColor(
  stream: OutputStream,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (environment['NO_COLOR']) return false;
  const forced = environment['FORCE_COLOR'];
  if (forced) return forced !== '0';
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}
