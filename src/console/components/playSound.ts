/**
 * playSound: two soft tones, synthesized by the browser. Silent if the browser does not allow sound before
 * the page was touched.
 */
export const playSound = () => {
  try {
    const context = new AudioContext()
    for (const [index, frequency] of [660, 880].entries()) {
      const from = context.currentTime + index * 0.16
      const tone = context.createOscillator()
      const volume = context.createGain()
      tone.frequency.value = frequency
      volume.gain.setValueAtTime(0, from)
      volume.gain.linearRampToValueAtTime(0.15, from + 0.02)
      volume.gain.exponentialRampToValueAtTime(0.001, from + 0.3)
      tone.connect(volume).connect(context.destination)
      tone.start(from)
      tone.stop(from + 0.32)
      if (index === 1) tone.onended = () => void context.close()
    }
  } catch {
    // This browser makes no sounds.
  }
}
