import { describe } from 'vitest';
import { auditServerFaults } from '../test/faults/audit-server-faults.ts';
import { testFaults } from '../test/faults/fault.ts';
import { sourceServerFaults } from '../test/faults/source-server-faults.ts';

describe('the audit server', () => testFaults(auditServerFaults));
describe('the source server', () => testFaults(sourceServerFaults));
