/** The least that a server for JSON can do: it reads the request, and has its answer ready. `bun bench/bare-http.ts <answer>` */
const [answer = ''] = process.argv.slice(2)
const headers = { 'Content-Type': 'application/json' }
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    await request.json()
    return new Response(answer, { headers })
  },
})
console.log(`ready http://127.0.0.1:${server.port}`)
process.stdin.resume().once('end', () => process.exit(0))
