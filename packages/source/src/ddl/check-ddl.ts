import { type Finding, ok, problem } from '../finding.ts';
import { eventTriggers } from './ddl-triggers.ts';
import { oldestMessageVersion } from './ddl-version.ts';
import { type DdlSnapshot, functionsInstalled, installedOptions, triggersInstalled } from './inspect-ddl.ts';
import { planDdl } from './plan-ddl.ts';

/** Whether DDL is recorded and new tables get an identity. Its SQL is that of the plan. */
export function checkDdl(snapshot: DdlSnapshot): readonly Finding[] {
  return [checkTriggers(snapshot), ...checkGuideTrigger(snapshot)];
}

function checkTriggers(snapshot: DdlSnapshot): Finding {
  const id = 'ddl-triggers';
  const options = installedOptions(snapshot);
  const wanted = eventTriggers(snapshot.version);
  const sql = planDdl(snapshot, options).map((step) => step.sql);
  if (!snapshot.areTriggersOn) {
    return problem(
      'warning',
      id,
      'Event triggers are switched off',
      'event_triggers = off',
      'DDL is not recorded. Run as a superuser:',
      ['ALTER SYSTEM RESET event_triggers;', 'SELECT pg_reload_conf();'],
    );
  }
  const state = triggersInstalled(snapshot);
  if (state === 'current' && functionsInstalled(snapshot, options) === 'current') {
    const what =
      snapshot.version < oldestMessageVersion ? 'New tables get their identity' : 'DDL of tables is recorded';
    return ok(id, what, `event triggers ${wanted.map(({ name }) => name).join(', ')}`);
  }
  const installed = new Map(snapshot.triggers.map((trigger) => [trigger.name, trigger.state]));
  const evidence = wanted.map(({ name }) => `${name}: ${installed.get(name) ?? 'missing'}`).join(', ');
  return problem(
    'warning',
    id,
    state === 'none'
      ? 'DDL is not recorded: there are no event triggers'
      : 'DDL may not be recorded: event triggers are not as they should be',
    evidence,
    'Dropped, detached and rewritten tables leave no trace in the log but in its coverage entries. Run as a superuser, or as the ' +
      'administrator of a hosted server:',
    sql,
  );
}

function checkGuideTrigger({ hasGuideTrigger }: DdlSnapshot): readonly Finding[] {
  if (!hasGuideTrigger) return [];
  return [
    problem(
      'warning',
      'guide-trigger',
      'The event trigger of the set-up guide makes other roles’ CREATE TABLE fail',
      '_bemi_set_replica_identity_trigger exists: it alters all tables in public, also those of others, and fails under another search_path',
      'Make the event triggers of bemi setup, then run as a superuser:',
      ['DROP EVENT TRIGGER _bemi_set_replica_identity_trigger;'],
    ),
  ];
}
