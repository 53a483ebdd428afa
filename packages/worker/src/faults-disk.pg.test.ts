import { diskFaults } from '../test/faults/disk-faults.ts';
import { testFaults } from '../test/faults/fault.ts';

testFaults(diskFaults);
