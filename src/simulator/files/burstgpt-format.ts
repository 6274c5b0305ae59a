import { faultOf, parseAmount, type TraceFormat } from './trace-format.ts';

/**
 * BurstGPT: `Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type`, times in seconds, and from its third file on two
 * columns more. A request with no response token has failed. https://github.com/HPMLL/BurstGPT
 */
export const BURSTGPT_FORMAT: TraceFormat = {
  name: 'burstgpt',
  columns: ['Timestamp', 'Model', 'Request tokens', 'Response tokens'],
  namesModels: true,
  leftOut: 'that failed (no response tokens)',
  readRow: (cell) => {
    const at = parseAmount(cell('Timestamp'));
    if (at === undefined) return faultOf('Timestamp', cell('Timestamp'), 'a number of seconds from 0 on');
    const prompt = parseAmount(cell('Request tokens'));
    if (prompt === undefined) return faultOf('Request tokens', cell('Request tokens'), 'a number of tokens');
    const output = parseAmount(cell('Response tokens'));
    if (output === undefined) return faultOf('Response tokens', cell('Response tokens'), 'a number of tokens');
    if (output === 0) return { kind: 'left-out' };
    return { kind: 'request', at: at * 1000, model: cell('Model'), work: { kind: 'tokens', prompt, output } };
  },
};
