import { simulateCommand } from './cli/simulate-command.ts';
import type { SimulateFlags } from './cli/simulate-options.ts';

/** `corral simulate`. Returns the exit code. */
export const runSimulate = async (flags: SimulateFlags): Promise<number> => simulateCommand(flags, process);
