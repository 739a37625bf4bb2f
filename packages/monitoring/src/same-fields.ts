/** Whether two sets of rules say the same, in whatever order their fields were written; nested ones are compared, too. */
export function sameFields(a: object, b: object): boolean {
  const names = Object.keys(b)
  if (Object.keys(a).length !== names.length) return false
  return names.every((name) => {
    const [left, right] = [a[name as keyof typeof a] as unknown, b[name as keyof typeof b] as unknown]
    const nested = typeof left === 'object' && typeof right === 'object' && left !== null && right !== null
    return nested ? sameFields(left, right) : left === right
  })
}
