import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualTimers } from '../testing/manual-timers.ts';
import { Alarm } from './alarm.ts';
import { instant, seconds } from './units.ts';

/** An alarm, and when it rang. */
function startAlarm(): { readonly timers: ManualTimers; readonly alarm: Alarm; readonly rung: number[] } {
  const timers = new ManualTimers();
  const rung: number[] = [];
  const alarm = new Alarm(timers.wakeIn, () => rung.push(timers.now()));
  return { timers, alarm, rung };
}

describe('an alarm', () => {
  it('rings once, at the time that was set last', () => {
    const { timers, alarm, rung } = startAlarm();
    for (const at of [9000, 3000, 5000]) alarm.setTo(instant(at), timers.now());
    timers.advance(seconds(60));
    assert.deepEqual(rung, [5000]);
  });
  it('does not ring where there is no time any more', () => {
    const { timers, alarm, rung } = startAlarm();
    alarm.setTo(instant(5000), timers.now());
    alarm.setTo(undefined, timers.now());
    timers.advance(seconds(60));
    assert.deepEqual(rung, []);
  });
  it('rings at once for what has come already', () => {
    const { timers, alarm, rung } = startAlarm();
    timers.advance(seconds(7));
    alarm.setTo(instant(5000), timers.now());
    timers.advance(seconds(0));
    assert.deepEqual(rung, [7000]);
  });
  it('can be set by what it calls', () => {
    const timers = new ManualTimers();
    const rung: number[] = [];
    const alarm = new Alarm(timers.wakeIn, () => {
      rung.push(timers.now());
      alarm.setTo(instant(timers.now() + 5000), timers.now());
    });
    alarm.setTo(instant(5000), timers.now());
    timers.advance(seconds(16));
    assert.deepEqual(rung, [5000, 10_000, 15_000]);
  });
  it('that was stopped does not ring, whatever is set', () => {
    const { timers, alarm, rung } = startAlarm();
    alarm.setTo(instant(5000), timers.now());
    alarm.stop();
    alarm.setTo(instant(6000), timers.now());
    timers.advance(seconds(60));
    assert.deepEqual(rung, []);
    assert.deepEqual(timers.delays, [], 'and leaves no timer behind');
  });
});
