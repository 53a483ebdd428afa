import { describe } from 'vitest';
import { clockFaults } from '../test/faults/clock-faults.ts';
import { testFaults } from '../test/faults/fault.ts';

describe('clocks', () => testFaults(clockFaults));
