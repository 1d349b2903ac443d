/** Searching what stands in order. */

/** Where the first one stands for which it holds; `size` if there is none. For all that come later it has to hold, too. */
export function firstWhere(size: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = size
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
