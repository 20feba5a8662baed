// A fake DynamoDB on a free port. Prints its address, and ends with its parent: when standard input closes.
// Its argument is the folder of the dynalite package.
const server = require(process.argv[2])({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
