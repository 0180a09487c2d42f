"""Words for stories.py: what `{list}` in a line may become. `{list:1}` stays the same through a story."""

GIRLS = "Anna Mia Lily Emma Sara Nora Lucy Ella Ruby Zoe Clara Alice Maya Olga Eva Julia Amy Grace Lena Molly Sofia Kate Sue Mary".split()
BOYS = "Tom Ben Max Leo Sam Jack Oscar Finn Noah Hugo Theo Adam Omar Luca Peter Paul Felix Otto Henry Toby Will Tim Bob Dan".split()
# Who is not an animal, and has a pronoun of its own.
FOLK = {"prince": "he", "princess": "she", "king": "he", "queen": "she", "witch": "she", "wizard": "he", "fairy": "she"}
FOLK |= {"knight": "he", "mermaid": "she", "robot": "he", "ghost": "he", "giant": "he", "pirate": "he", "elf": "he"}
PETS = "Fifi Coco Pip Lulu Momo Nutmeg Pepper Biscuit Button Maple Rusty Dot Socks Mango Bobo Misty Snowy Clover Teddy Ziggy".split()

LISTS = {
    "animal": """fox|rabbit|bear|mouse|hedgehog|squirrel|duck|frog|owl|turtle|kitten|puppy|lamb|goat|pig|penguin|otter|beaver
|badger|mole|deer|wolf|lion|elephant|monkey|giraffe|dragon|snail|bee|sparrow|goose|pony|calf|seal|bat|cat|dog|hen|tiger
|crab|whale|koala|panda|donkey|swan|robin""",
    "robot": "Rusty|Bolt|Tick|Robo|Max|Beep|Tin|Sparky|Gizmo",
    "small": "little|little|little|small|young|tiny",
    "mood": "brave|kind|clever|curious|cheerful|quiet|shy|playful|gentle|stubborn|funny|happy|sleepy|busy|lonely|proud",
    "hobby": """paint|sing|read books|climb trees|swim|dance|draw pictures|tell jokes|look at the stars|build towers
|collect stones|play hide and seek|ask questions|bake cookies|watch the clouds|play the drum|run fast|jump over puddles
|pick flowers|make new friends""",
    "house": """a small house|a cosy cottage|a little red house|an old mill|a tall tree|a warm cave|a blue house|a tiny hut
|a round house|a quiet farm""",
    "near": """near the forest|by the river|by the sea|on top of a hill|at the edge of the village|under an old oak tree
|beside a lake|in a green valley|at the foot of a mountain|in the middle of a meadow|at the end of a long road""",
    "place": """forest|garden|meadow|park|village|valley|field|wood""",
    "day": """one day|one morning|one sunny day|one rainy day|one afternoon|one evening|one summer day|one winter morning
|one spring morning|one windy day|on Monday|on Sunday|one fine day""",
    "later": "After a while|A little later|Soon|Not long after|Before long|A moment later|After some time",
    "thing": """ball|book|hat|kite|drum|doll|boat|bell|cup|coat|lamp|box|basket|ribbon|scarf|spoon|button|toy car|teddy bear
|umbrella|whistle|blanket|watch|pencil|key|ring|shell|feather""",
    "colour": "red|blue|green|yellow|golden|silver|white|purple|orange|pink|brown",
    "look": "shiny|old|new|beautiful|strange|wonderful|soft|tiny|big|lovely|wooden",
    "treat": """apple pie|honey cake|chocolate cake|warm bread|vegetable soup|strawberry jam|berry pie|carrot cake|pancakes
|gingerbread|hot soup|cheese|plum cake|cookies""",
    "fruit": "apples|pears|berries|cherries|plums|nuts|strawberries|carrots|oranges|grapes|mushrooms",
    "sad": "sad|worried|upset|very sad|unhappy|tired and sad",
    "glad": "happy|glad|very happy|proud|full of joy|so happy|delighted",
    "fine": "sunny|bright|warm|cold|windy|cloudy|foggy|rainy|snowy|quiet",
    "said": "said|said|said|answered|replied|whispered|called",
    "went": "walked|ran|went|hurried|skipped|wandered",
    "cry": "cried|shouted|called|laughed",
    "smile": "smiled|laughed|nodded|clapped|grinned|jumped for joy|giggled",
    "flower": "rose|daisy|tulip|sunflower|poppy|violet|bluebell",
    "number": "two|three|four|five|six|seven|ten",
    "nth": "third|fourth|fifth|sixth|seventh|tenth",
    "worker": "baker|farmer|miller|teacher|gardener|fisherman|shopkeeper|tailor|postman|blacksmith",
    "elder": "grandmother|grandfather|mother|father|aunt|uncle|big sister|big brother",
    "clothes": "hat|scarf|cap",
    "watery": "turtle|whale|seal|swan|dolphin|fish|otter",
    "baby": "bird|duck|rabbit|bear|fox|deer|squirrel|owl|sheep|goat",
    "bake": "cake|pie|bread|apple cake|honey cake|berry pie",
    "instrument": "drum|flute|violin|guitar|trumpet|piano|horn",
    "skill": "swim|ride a bicycle|whistle|fly a kite|skate on the ice|climb the tall tree|play the flute|read|row a boat|juggle",
}
LISTS = {name: [w.strip() for w in text.replace("\n", " ").split("|")] for name, text in LISTS.items()}
