/**
 * How a routine may end itself, or be ended: OTP's reasons. `normal` reads as completed, `shutdown` is an end in good
 * order and reads as cancelled, `killed` and errors are failures.
 */
export type ExitReason = 'normal' | 'shutdown' | 'killed' | { readonly shutdown: unknown } | Error
