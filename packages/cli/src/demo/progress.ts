import { textStyle } from '../presentation/text-style.ts';

/** Shows what is being done: a spinner on a terminal, elsewhere a line when it is done. */
export interface Progress {
  /**
   * @param busy - what is shown meanwhile: "Starting the worker".
   * @param done - what stays when it is done.
   */
  step<T>(busy: string, work: () => Promise<T>, done: (result: T) => string): Promise<T>;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 80;
const clearLine = '\r\u001b[2K';

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const { colors } = textStyle(stream);
  const isLively = stream.isTTY && process.env['TERM'] !== 'dumb';

  const spin = (text: string): (() => void) => {
    if (!isLively) return () => undefined;
    let frame = 0;
    const draw = (): void => {
      stream.write(`${clearLine}${colors.cyan(frames[frame++ % frames.length]!)} ${text} …`);
    };
    draw();
    const timer = setInterval(draw, frameMs);
    return () => {
      clearInterval(timer);
      stream.write(clearLine);
    };
  };

  return {
    async step(busy, work, done) {
      const stop = spin(busy);
      let result: Awaited<ReturnType<typeof work>>;
      try {
        result = await work();
      } finally {
        stop();
      }
      stream.write(`${colors.green('✓')} ${done(result)}\n`);
      return result;
    },
  };
}
