/** Why the worker refuses to go on: continuing would leave a gap or mix two histories. Time does not cure it. */
export type RefusalCode =
  | 'slot-ahead'
  | 'slot-missing'
  | 'slot-lost'
  | 'source-behind'
  | 'other-cluster'
  | 'other-timeline'
  | 'history-changed'
  | 'other-database'
  | 'log-altered'
  | 'log-cut'
  | 'log-forked'
  | 'checkpoint-broken'
  | 'checkpoint-of-another-log'
  | 'signing-key-missing'
  | 'signing-key-other';

export class RefusalError extends Error {
  override readonly name = 'RefusalError';
  readonly code: RefusalCode;
  /** What the operator can do, as a sentence or a command. */
  readonly fix: string;

  constructor(code: RefusalCode, message: string, fix: string) {
    super(message);
    this.code = code;
    this.fix = fix;
  }
}
