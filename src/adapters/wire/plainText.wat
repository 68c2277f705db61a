;; plainText: how far a JSON string's text continues without a byte that needs a closer look.
;;
;; `skip` returns the offset of the first byte, from `at` on, that is neither plain nor part of a two-byte escape: a
;; quote, a control character, `\u`, or a backslash before a character that cannot be escaped. There must be one: the
;; caller writes a zero after the text. It reads sixteen bytes at a time, and no branch depends on where escapes are: if
;; the processor has to guess that, it takes three times as long.
;;
;; `npm run wasm` makes plainTextWasm.ts from this file.
(module
  (memory (export "memory") 2)
  (func (export "skip") (param $at i32) (result i32)
    (local $bytes v128)
    ;; One bit per byte; the lowest is the first byte's.
    (local $backslashes i32)
    (local $escaped i32)
    (local $stops i32)
    ;; Backslashes that begin an escape, bytes that end one, and the ends of runs of backslashes.
    (local $codes i32)
    ;; 1: the previous block ended with a backslash that escapes this one's first byte.
    (local $carry i32)
    (loop $block
      (local.set $bytes (v128.load (local.get $at)))
      (local.set $backslashes
        (i8x16.bitmask (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x5c)))))

      ;; In a run of backslashes every second one is escaped: a subtraction carries through a run, and odd bits show
      ;; whether its length was even (Langdale and Lemire, "Parsing Gigabytes of JSON per Second").
      (local.set $codes
        (i32.and (local.get $backslashes) (i32.xor (local.get $carry) (i32.const -1))))
      (local.set $codes
        (i32.xor (i32.const 0xaaaaaaaa)
          (i32.sub
            (i32.or (i32.shl (local.get $codes) (i32.const 1)) (i32.const 0xaaaaaaaa))
            (local.get $codes))))
      (local.set $escaped
        (i32.and (i32.const 0xffff)
          (i32.xor (local.get $codes) (i32.or (local.get $backslashes) (local.get $carry)))))
      (local.set $carry
        (i32.shr_u (i32.and (local.get $codes) (local.get $backslashes)) (i32.const 15)))

      (local.set $stops
        (i32.or
          ;; Unescaped control characters and quotes,
          (i32.and
            (i32.xor (local.get $escaped) (i32.const -1))
            (i8x16.bitmask
              (v128.or
                (i8x16.lt_u (local.get $bytes) (i8x16.splat (i32.const 0x20)))
                (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x22))))))
          ;; and escaped characters other than "/\bfnrt: their entries in a table for the lower half of the byte and
          ;; one for the upper half have no bit in common.
          (i32.and
            (local.get $escaped)
            (i8x16.bitmask
              (i8x16.eq
                (v128.const i64x2 0 0)
                (v128.and
                  (i8x16.swizzle
                    (v128.const i8x16 0 0 13 0 8 0 4 0 0 0 0 0 2 0 4 1)
                    (v128.and (local.get $bytes) (i8x16.splat (i32.const 0x0f))))
                  (i8x16.swizzle
                    (v128.const i8x16 0 0 1 0 0 2 4 8 0 0 0 0 0 0 0 0)
                    (v128.and
                      (i16x8.shr_u (local.get $bytes) (i32.const 4))
                      (i8x16.splat (i32.const 0x0f))))))))))
      (if (local.get $stops)
        (then
          (local.set $stops (i32.ctz (local.get $stops)))
          ;; An escape begins with its backslash.
          (return
            (i32.sub
              (i32.add (local.get $at) (local.get $stops))
              (i32.and (i32.const 1) (i32.shr_u (local.get $escaped) (local.get $stops)))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $block))
    (unreachable)))
