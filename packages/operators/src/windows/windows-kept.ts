import type { Plan } from '@millwright/core'

/** Late entries of the history that per-reading windows leave room for: readings out of order by more see a shorter one. */
const perReadingDisorder = 16

/**
 * Returns the most windows of one device that may still give a result at once: open ones, and closed ones that take late
 * readings. It follows from the plan, so no window is ever refused for want of room.
 */
export function windowsKeptMax({ window, time }: Plan): number {
  const { graceMs, allowedLatenessMs } = time
  switch (window.kind) {
    // Windows that contain the device clock or end at most grace + allowed lateness before it.
    case 'tumbling':
      return Math.ceil((window.sizeMs + graceMs + allowedLatenessMs) / window.sizeMs) + 1
    case 'hopping':
      return Math.ceil((window.sizeMs + graceMs + allowedLatenessMs) / window.slideMs) + 1
    // Open sessions end after clock − grace, and begin at least a gap apart.
    case 'session':
      return Math.ceil(graceMs / window.gapMs) + 2
    case 'per-reading':
      return perReadingDisorder
  }
}

/**
 * Returns in how many windows a reading in order is that goes the short way: those from its device's `currentSlot` on. Of no meaning where
 * none does: sessions, windows of one reading, hopping windows whose size is no multiple of the slide.
 */
export function windowsPerReading({ window }: Plan): number {
  return window.kind === 'hopping' ? Math.floor(window.sizeMs / window.slideMs) : 1
}
