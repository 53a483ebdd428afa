import { connectionFaults } from '../test/faults/connection-faults.ts';
import { testFaults } from '../test/faults/fault.ts';

testFaults(connectionFaults);
