import { Command, CommanderError } from 'commander';
import { usageError } from './cli-error.ts';
import { accessesCommand } from './commands/accesses-command.ts';
import { accountsCommand } from './commands/accounts-command.ts';
import { alertsCommand } from './commands/alerts-command.ts';
import { attestCommand } from './commands/attest-command.ts';
import { configCommand } from './commands/config-command.ts';
import { coverageCommand } from './commands/coverage-command.ts';
import { dashboardCommand } from './commands/dashboard-command.ts';
import { demoCommand } from './commands/demo-command.ts';
import { doctorCommand } from './commands/doctor-command.ts';
import { eraseCommand } from './commands/erase-command.ts';
import { gapCommand } from './commands/gap-command.ts';
import { historyCommand } from './commands/history-command.ts';
import { holdCommand } from './commands/hold-command.ts';
import { keysCommand } from './commands/keys-command.ts';
import { logCommand } from './commands/log-command.ts';
import { migrationCommand } from './commands/migration-command.ts';
import { proofCommand } from './commands/proof-command.ts';
import { retentionCommand } from './commands/retention-command.ts';
import { rulesCommand } from './commands/rules-command.ts';
import { setupCommand } from './commands/setup-command.ts';
import { skipCommand } from './commands/skip-command.ts';
import { startCommand } from './commands/start-command.ts';
import { statusCommand } from './commands/status-command.ts';
import { tablesCommand } from './commands/tables-command.ts';
import { teardownCommand } from './commands/teardown-command.ts';
import { verifyCommand } from './commands/verify-command.ts';
import { workerCommand } from './commands/worker-command.ts';
import { explainError } from './output/explain-error.ts';
import { endQuietlyOnClosedPipe, readerIsGone } from './output/print.ts';
import { errorText } from './output/print-error.ts';
import { textStyle } from './presentation/text-style.ts';
import { version } from './version.ts';

/** In the order of the help. Each only says what it is: its work is imported when it is run. */
const commands = [
  setupCommand,
  tablesCommand,
  startCommand,
  workerCommand,
  dashboardCommand,
  accountsCommand,
  configCommand,
  statusCommand,
  doctorCommand,
  attestCommand,
  alertsCommand,
  logCommand,
  historyCommand,
  accessesCommand,
  coverageCommand,
  verifyCommand,
  proofCommand,
  rulesCommand,
  eraseCommand,
  holdCommand,
  retentionCommand,
  keysCommand,
  migrationCommand,
  gapCommand,
  skipCommand,
  demoCommand,
  teardownCommand,
];

const program = new Command('bemi')
  .description('An automatic, tamper-evident audit trail for PostgreSQL.')
  .version(version(), '-v, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .helpCommand('help [command]', 'print the help of a command')
  // Some commands have an action and commands of their own, with flags of the same names.
  .enablePositionalOptions()
  .exitOverride()
  // We print errors ourselves, all in one form.
  .configureOutput({ outputError: () => undefined })
  .addHelpText(
    'after',
    `
Settings come from flags, then BEMI_* variables, then bemi.config.yaml, then .bemi/worker.env.
Exit codes: 0 good, 1 a finding or a failure, 2 wrong usage or configuration.`,
  );
for (const command of commands) program.addCommand(inheriting(command()));

const level = process.env['BEMI_LOG_LEVEL']?.toLowerCase();
const isDebugging = level === 'debug' || level === 'trace';
// Node's deprecation warnings are for those who write programs, not for those who run them.
if (!isDebugging) process.noDeprecation = true;
endQuietlyOnClosedPipe();
try {
  await program.parseAsync();
} catch (error) {
  if (!readerIsGone()) process.exitCode = fail(error);
}

/** With the program's settings, also for its own commands: by themselves those would have none of them. */
function inheriting(command: Command): Command {
  for (const inner of command.commands) inheriting(inner);
  return command.copyInheritedSettings(program);
}

function fail(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // --help, --version
    if (error.code === 'commander.help') return 2; // no command: the help was printed
    const [, message = '', nearest] =
      /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(error.message) ?? [];
    const didYouMean = nearest === undefined ? '' : `Did you mean ${nearest}? `;
    return fail(usageError(message.charAt(0).toUpperCase() + message.slice(1), didYouMean + helpHint()));
  }
  process.stderr.write(
    errorText(error, process.argv.includes('--json'), isDebugging, textStyle(process.stderr)),
  );
  return explainError(error).exitCode;
}

/** Of the command that was meant, as far as there is one. */
function helpHint(): string {
  const names: string[] = [];
  for (let command: Command | undefined = program, i = 2; command; i++) {
    command = command.commands.find((inner) => inner.name() === process.argv[i]);
    if (command) names.push(command.name());
  }
  return names.length > 0
    ? `bemi ${names.join(' ')} --help shows what it takes.`
    : 'bemi --help lists the commands.';
}
