import { Command } from 'commander';
import type { ProofFlags } from '../proof/run-proof.ts';

/** `bemi proof` */
export function proofCommand(): Command {
  return new Command('proof')
    .summary('prove one entry to somebody else')
    .description(
      'Writes a file that proves one entry of the log: what was changed, when, in which transaction and with which ' +
        "context. Whoever has the log's public key can check it offline, with bemi-verify or in a browser.",
    )
    .argument('<sequence>', 'number of the entry: id in the view changes, "sequence" in bemi log --json')
    .option('-o, --out <file>', 'where to write it (default: stdout)')
    .option('-c, --checkpoint <file|dir|url>', 'prove it in a checkpoint that you kept (default: the newest)')
    .option('--log <name>', 'which log, where the audit database holds several')
    .option('--access', 'an entry of the log of accesses: who looked at what of the trail')
    .option('--embedded', 'read the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi proof 4711 --out entry-4711.json
  bemi proof 4711 --checkpoint kept/2026-01-31.checkpoint > entry-4711.json
  bemi proof 12 --access --out access-12.json
  bemi-verify entry-4711.json --key log.vkey

It works for erased entries too: then it proves that the entry was there, and discloses nothing of it.`,
    )
    .action(async (sequence: string, flags: ProofFlags) => {
      const { runProof } = await import('../proof/run-proof.ts');
      await runProof(sequence, flags);
    });
}
