/**
 * What glibc's allocator is told where Corral runs as it is installed. Left alone it raises its thresholds with each large buffer
 * that is freed, and keeps up to 64 MiB for itself (M_MMAP_THRESHOLD in mallopt(3)): see docs/performance.md. A threshold that is
 * set stays. bin/corral has the same: a test compares them.
 */
export const ALLOCATOR_SETTING: readonly [name: string, value: string] = ['MALLOC_TRIM_THRESHOLD_', '1048576'];

/** Whether a variable of Corral's environment is that setting, and not one of the user's. */
export const isAllocatorSetting = (name: string, value: string | undefined): boolean =>
  name === ALLOCATOR_SETTING[0] && value === ALLOCATOR_SETTING[1];
