import { faultOf, parseAmount, type TraceFormat } from './trace-format.ts';

/** Corral's own form: when, for which model, and for how long, in seconds. */
export const CORRAL_FORMAT: TraceFormat = {
  name: 'corral',
  columns: ['time', 'model', 'duration'],
  namesModels: true,
  leftOut: '',
  readRow: (cell) => {
    const at = parseAmount(cell('time'));
    if (at === undefined) return faultOf('time', cell('time'), 'a number of seconds from 0 on');
    const duration = parseAmount(cell('duration'));
    if (duration === undefined) return faultOf('duration', cell('duration'), 'a number of seconds from 0 on');
    return { kind: 'request', at: at * 1000, model: cell('model'), work: { kind: 'time', ms: duration * 1000 } };
  },
};
