import { describe } from 'vitest';
import { failoverFaults } from '../test/faults/failover-faults.ts';
import { testFaults } from '../test/faults/fault.ts';
import { restoredSourceFaults } from '../test/faults/restored-source-faults.ts';
import { slotFaults } from '../test/faults/slot-faults.ts';

describe('the slot', () => testFaults(slotFaults));
describe('a source that was restored, or is another', () => testFaults(restoredSourceFaults));
describe('failover', () => testFaults(failoverFaults));
